# vectors.S
s/\.balign 2048/.balign 128/

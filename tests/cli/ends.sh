# Part

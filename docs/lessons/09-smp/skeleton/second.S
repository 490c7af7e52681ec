// Where one of our CPUs begins that is not the first: at EL2, MMU off, as PSCI's CPU_ON starts it.
    .text
    .global second_start
second_start:
    // TODO 2: SP: the end of second_stack (16384 bytes, vm.h). VBAR_EL2: vectors. ISB. As start.S of lesson 1, but .bss is not yours
    //         to clear: the first CPU uses it.
    bl      second_main
    b       .

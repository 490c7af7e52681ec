/*
 * Two disassemblers as libraries: LLVM's through its C interface, binutils' libopcodes. What is asked is whether a word
 * is allocated, and to what. LLVM's C interface calls undefined also what its tables call a soft failure, which is
 * CONSTRAINED UNPREDICTABLE; binutils does the same for some of that.
 *
 * Leaves out SVE and SME in LLVM: elmu has neither.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* libopcodes' header wants the configuration of a package. */
#define PACKAGE         "sweep"
#define PACKAGE_VERSION "1"
#include <dis-asm.h>

#include "tests/conformance/sweep.h"

/* Of llvm-c/Disassembler.h and llvm-c/Target.h, a stable interface: the headers come in a package of 300 MB. */
void LLVMInitializeAArch64TargetInfo(void);
void LLVMInitializeAArch64TargetMC(void);
void LLVMInitializeAArch64Disassembler(void);
void *LLVMCreateDisasmCPUFeatures(const char *triple, const char *cpu, const char *features, void *info, int tag_type,
                                  void *get_op_info, void *symbol_look_up);
size_t LLVMDisasmInstruction(void *context, u8 *bytes, u64 size, u64 pc, char *text, size_t text_size);

/* All that LLVM 14 knows of A64 but SVE and SME. */
#define LLVM_FEATURES                                                                                                  \
    "+v8.7a,+fullfp16,+fp16fml,+sha2,+sha3,+sm4,+aes,+mte,+rand,+bf16,+i8mm,+mops,+hbc,+ls64,+tme,+brbe,+ete,+trbe,"   \
    "+spe-eef,+rme,+predres,+pauth,+f64mm,+f32mm"

/* What LLVM's model of a CPU leaves out of that CPU with all its options. */
static const struct {
    const char *cpu, *features;
    const char *name; /* in LLVM, where it is another; or NULL */
} llvm_models[] = { { "max", LLVM_FEATURES, NULL },
                    { "cortex-a35", "", NULL },
                    { "cortex-a53", "", NULL },
                    { "cortex-a55", "", NULL },
                    { "cortex-a57", "", NULL },
                    { "cortex-a72", "", NULL },
                    { "cortex-a76", "", NULL },
                    { "cortex-a77", "", NULL },
                    { "cortex-a78", "", NULL },
                    { "cortex-a78ae", "+pauth,+flagm,+rcpc-immo", "cortex-a78" },
                    { "cortex-x1", "", NULL },
                    { "cortex-a710", "+sha3,+sm4,+aes,+sha2", NULL },
                    { "neoverse-n1", "", NULL },
                    { "neoverse-v1", "+sha3,+sm4", NULL },
                    { "neoverse-n2", "+sha3,+sm4,+fp16fml", NULL },
                    { "neoverse-v2", "+sha3,+sm4,+fp16fml,+rand", "neoverse-n2" } };

static void *llvm;
static disassembler_ftype binutils;
static struct disassemble_info info;
static struct binutils_state {
    u32 word;
    char mnemonic[MNEMONIC_SIZE];
} state;

/* Keeps the first piece of the text that is not blank: the mnemonic, or ".inst". */
static void keep(struct binutils_state *s, const char *format, va_list args)
{
    if (!s->mnemonic[0])
        vsnprintf(s->mnemonic, sizeof s->mnemonic, format, args);
}

static int print(void *stream, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(stream, format, args);
    va_end(args);
    return 0;
}

static int print_styled(void *stream, enum disassembler_style style, const char *format, ...)
{
    (void)style;
    va_list args;
    va_start(args, format);
    keep(stream, format, args);
    va_end(args);
    return 0;
}

static int read_word(bfd_vma address, bfd_byte *to, unsigned size, struct disassemble_info *i)
{
    (void)address;
    memcpy(to, &((struct binutils_state *)i->stream)->word, size < 4 ? size : 4);
    return 0;
}

static void llvm_open(const char *cpu)
{
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64Disassembler();
    for (unsigned n = 0; n < ARRAY_LEN(llvm_models); n++)
        if (!strcmp(cpu, llvm_models[n].cpu))
            llvm = LLVMCreateDisasmCPUFeatures("aarch64-linux-gnu",
                                               !n                    ? ""
                                               : llvm_models[n].name ? llvm_models[n].name
                                                                     : cpu,
                                               llvm_models[n].features, NULL, 0, NULL, NULL);
}

unsigned opinions_open(const char *cpu)
{
    llvm_open(cpu);
    init_disassemble_info(&info, &state, print, print_styled);
    info.arch = bfd_arch_aarch64;
    info.mach = bfd_mach_aarch64;
    info.endian = info.endian_code = BFD_ENDIAN_LITTLE;
    info.read_memory_func = read_word;
    info.disassembler_options = "no-aliases,no-notes";
    disassemble_init_for_target(&info);
    binutils = disassembler(bfd_arch_aarch64, false, bfd_mach_aarch64, NULL);
    if (!llvm || !binutils) {
        fprintf(stderr, "sweep: no disassembler for %s in %s\n", cpu, llvm ? "libopcodes" : "libLLVM");
        exit(1);
    }
    return strcmp(cpu, "max") ? 1 : OPINIONS;
}

/* The first word of a text, without what follows a dot but in a name of its own (".inst"). */
static void first_word(const char *text, char mnemonic[MNEMONIC_SIZE])
{
    text += strspn(text, " \t");
    size_t length = strcspn(text, " \t.");
    snprintf(mnemonic, MNEMONIC_SIZE, "%.*s", (int)length, text);
}

void opinion_ask(unsigned which, u32 word, char mnemonic[MNEMONIC_SIZE])
{
    char text[160];
    if (which == 0) {
        u8 bytes[4];
        store_le32(bytes, word);
        if (!LLVMDisasmInstruction(llvm, bytes, 4, 0, text, sizeof text))
            text[0] = 0;
    } else {
        store_le32((u8 *)&state.word, word);
        state.mnemonic[0] = 0;
        binutils(0, &info);
        memcpy(text, state.mnemonic, sizeof state.mnemonic);
    }
    first_word(text, mnemonic);
    if (!mnemonic[0])
        strcpy(mnemonic, "undefined");
}

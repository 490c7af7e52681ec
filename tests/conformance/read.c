/* Reads files of vectors (../shared/vectors/README.md) into the state before and after, and runs each vector. */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "cpu/engine/code.h"
#include "cpu/insn/decode.h"
#include "cpu/model.h"
#include "gic/gic.h"
#include "tests/conformance/vectors.h"
#include "timer/timer.h"

enum { LINE_MAX_ = 1 << 16 };

/* ---- the feature sets of the models ---- */

/* The model of v80 and v81 executes half precision, the LRCPC and limited-ordering accesses and AT S1E1{R,W}P whatever
 * the version, and has 52-bit physical addresses. */
#define V80 "lpa,crc32,aes,pmull,sha1,sha256,el2,el3,gicv3,pmu,fp16,lor,lrcpc,lrcpc2,pan2,ats1e1"
#define V81 V80 ",lse,rdm,pan,vhe,hpds,vmid16,hafdbs"
#define V85                                                                                                            \
    V81 ",uao,ras,rasv1p1,iesb,lva,lpa,ttcnp,xnx,fhm,dotprod,hafdbs,evt,dpb,dpb2,pauth,fcma,jscvt,nv,nv2,sel2,s2fwb,"  \
        "ttst,ttl,tlbirange,tlbios,bbm,dit,flagm,flagm2,lse2,trf,bti,sb,ssbs,ssbs2,specres,e0pd,frintts,rng,csv2,csv2-2,csv3"
#define V9                                                                                                                \
    V85 ",sha512,sha3,sm3,sm4,i8mm,bf16,fgt,ecv,hcx,wfxt,xs,twed,afp,rpres,pan3,mops,hbc,cmow,tidcp1,lpa2,specres2,cssc," \
        "lse128,lrcpc3,rprfm,clrbhb,sctlr2,tcr2,ebf16,hpds2,mte,mte2,mte3,pauth2,fpac,s1pie,s2pie,s1poe"
#define V94 V9 ",fpaccombine"
/* Of -cpu max, but FEAT_FPACCOMBINE: see class_features (../shared/more-vectors/README-acc.md). */
#define ACC                                                                                                            \
    V9 ",idst,epac,pauth-qarma3,cntpoff,rng-trap,hpmn0,nmi,ats1a,mops-option-a,dgh,pmuv3p1,pmuv3p4,pmuv3p5,pmuv3p7"
static const struct {
    const char *set, *features;
} sets[] = {
    { "v80", V80 }, { "v81", V81 }, { "v85mte", V85 ",mte,mte2" }, { "v85", V85 }, { "v94", V94 }, { "acc", ACC },
};

/* Is the feature of that name known, and in the set? */
static bool features_name(const struct features *f, const char *name)
{
    for (unsigned n = 0; feature_name(n); n++)
        if (!strcmp(feature_name(n), name))
            return feature_has(f, (enum feature)n);
    return false;
}

static void features_add(struct features *f, const char *list)
{
    feature_add(f, FEAT_BASE);
    for (size_t length; *list; list += length + (list[length] == ',')) {
        length = strcspn(list, ",");
        for (unsigned n = 0; feature_name(n); n++)
            if (strlen(feature_name(n)) == length && !memcmp(feature_name(n), list, length))
                feature_add(f, (enum feature)n);
    }
}

const char *set_of(const char *folder)
{
    const char *best = NULL;
    for (unsigned n = 0; n < ARRAY_LEN(sets); n++)
        if (!strncmp(folder, sets[n].set, strlen(sets[n].set)) && (!best || strlen(sets[n].set) > strlen(best)))
            best = sets[n].set;
    return best;
}

/* ---- values ---- */

/* PSTATE fields exist with their feature; the vectors start with raw values in those that do not. */
static bool is_absent(const struct runner *r, const struct reg *reg)
{
    static const struct {
        u32 offset;
        const char *feature;
    } rows[] = {
        { offsetof(struct pstate, pan), "pan" },    { offsetof(struct pstate, uao), "uao" },
        { offsetof(struct pstate, dit), "dit" },    { offsetof(struct pstate, ssbs), "ssbs" },
        { offsetof(struct pstate, btype), "bti" },  { offsetof(struct pstate, tco), "mte" },
        { offsetof(struct pstate, allint), "nmi" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (reg->kind == K_PS && reg->index == rows[n].offset)
            return !features_name(&r->features, rows[n].feature);
    return false;
}

/* Bits of FPCR that the CPU of the set has: AHP DN FZ RMode, and those of its features (D19.2, FPCR). */
static u64 fpcr_present(const struct runner *r)
{
    return 0x07c00000 | (features_name(&r->features, "fp16") ? BIT(19) : 0) |
           (features_name(&r->features, "afp") ? 7 : 0) | (features_name(&r->features, "ebf16") ? BIT(13) : 0);
}

static void parse_values(struct runner *r, char *text, bool result)
{
    for (char *save, *item = strtok_r(text, " \n", &save); item; item = strtok_r(NULL, " \n", &save)) {
        char *eq = strchr(item, '=');
        if (!eq)
            continue;
        *eq = 0;
        struct reg *reg = reg_find(item);
        if (!reg || is_absent(r, reg))
            continue; /* a register that elmu's CPU does not have */
        char *slash = strchr(eq + 1, '/');
        u64 v = strtoull(eq + 1, NULL, 16);
        if (reg->kind == K_FPCR && strcmp(r->v.class_, "sysreg"))
            v &= fpcr_present(r); /* the vectors start with raw values in RES0 bits */
        reg_set(r->expect, reg, v);
        if (!result)
            reg_set(r->cpu, reg, v);
        else if (slash)
            r->mask[reg - regs] &= strtoull(slash + 1, NULL, 16);
    }
}

/* The configurations of pointer authentication, pac-CIPHER-LEVEL, and of memory copy. */
static void class_features(struct features *f, const char *class_)
{
    static const struct {
        const char *class_, *features;
    } rows[] = {
        { "mops-a", "pauth2,fpac,fpaccombine,mops-option-a" },
        { "sysinsn", "pauth2,fpac,fpaccombine,mops-option-a" },
        { "pac-q5-fpaccombine", "pauth2,fpac,fpaccombine" },
        { "pac-q3-fpaccombine", "pauth2,fpac,fpaccombine,pauth-qarma3" },
        { "pac-q5-pauth2", "pauth2" },
        { "pac-q5-epac", "epac" },
        { "pac-q3-fpac", "pauth2,fpac,pauth-qarma3" },
    };
    /* memory tagging is off but in the classes that are about it */
    static const enum feature tagging[] = { FEAT_MTE, FEAT_MTE2, FEAT_MTE3 };
    for (unsigned k = 0; k < ARRAY_LEN(tagging) && strncmp(class_, "mte", 3) && feature_has(f, FEAT_FPACCOMBINE); k++)
        feature_remove(f, tagging[k]);
    static const enum feature levels[] = { FEAT_EPAC, FEAT_PAUTH2, FEAT_FPAC, FEAT_FPACCOMBINE, FEAT_PAUTH_QARMA3 };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        if (strcmp(rows[n].class_, class_) || !feature_has(f, FEAT_MOPS))
            continue;
        for (unsigned k = 0; k < ARRAY_LEN(levels); k++)
            feature_remove(f, levels[k]);
        features_add(f, rows[n].features);
    }
}

static void parse_start(struct runner *r, const char *line)
{
    replay(r);
    memset(&r->v, 0, sizeof r->v);
    if (sscanf(line, "@ %31s %u %127s", r->v.class_, &r->v.id, r->v.name) < 2)
        exit(1);
    cpu_copy(r->cpu, r->baseline);
    cpu_copy(r->expect, r->baseline);
    class_features(&r->cpu->features, r->v.class_);
    r->memory.count = r->expected.count = 0;
    for (unsigned n = 0; n < reg_count; n++)
        r->mask[n] = ~(u64)0;
    r->have = true;
}

/* What rules and masks ask of the start memory, whose words are nearly all descriptors. */
static void note_descriptor(struct vector *v, u64 word)
{
    v->contiguous |= bit(word, 0) && bit(word, 52);
    v->reserved_sh |= bit(word, 0) && bits(word, 9, 8) == 1;
    v->attrs |= (u8)(bit(word, 0) && bits(word, 11, 2) ? 1u << bits(word, 4, 2) : 0);
}

static void parse_line(struct runner *r, char *line)
{
    unsigned long long pa, v;
    unsigned size;
    switch (line[0]) {
    case 'B':
        parse_values(r, line + 2, false);
        cpu_copy(r->baseline, r->cpu);
        break;
    case '@': parse_start(r, line); break;
    case 'i': parse_values(r, line + 2, false); break;
    case 'r': parse_values(r, line + 2, true); break;
    case 'm':
        if (sscanf(line, "m %llx=%llx", &pa, &v) == 2) {
            memory_write(&r->memory, pa, 8, v);
            memory_write(&r->expected, pa, 8, v);
            note_descriptor(&r->v, v);
        }
        break;
    case 'w':
        if (sscanf(line, "w %llx %u %llx", &pa, &size, &v) == 3)
            memory_write(&r->expected, pa, size, v);
        break;
    case 'x':
        if (r->v.insn_count < INSNS_MAX && sscanf(line, "x %x %15s", &r->v.insn[r->v.insn_count], r->v.mode) == 2)
            r->v.insn_count++;
        break;
    case 'o': r->v.sleep = strstr(line, "sleep") != NULL; break;
    default: break;
    }
}

static void *allocate(size_t size)
{
    void *p = aligned_alloc(64, align_up(size, 64));
    if (!p) {
        fprintf(stderr, "vectors: out of memory\n");
        exit(1);
    }
    memset(p, 0, size);
    return p;
}

void runner_create(struct runner *r, const char *set)
{
    snprintf(r->set, sizeof r->set, "%s", set);
    for (unsigned n = 0; n < ARRAY_LEN(sets); n++)
        if (!strcmp(sets[n].set, set))
            features_add(&r->features, sets[n].features);
    r->cpu = allocate(sizeof *r->cpu);
    r->expect = allocate(sizeof *r->expect);
    r->baseline = allocate(sizeof *r->baseline);
    r->start = allocate(sizeof *r->start);
    r->gic = allocate(sizeof *r->gic);
    r->timers = allocate(sizeof *r->timers);
    r->mask = allocate(REGS * sizeof *r->mask);
    r->phys = (struct phys){ .pa_size = 52, .ops = &memory_everywhere, .board = r };
    struct decoder *decoder = decoder_create(&r->features);
    struct code *code = decoder ? code_create(&r->phys, decoder, r->cpu, 1, 64) : NULL;
    if (!code)
        exit(1);
    r->phys.code_written = code_written;
    r->phys.code = code;
    r->cpu->features = r->features;
    gic_reset(r->gic, r->cpu, 1, true);
    r->cpu->d.host = (struct cpu_host){ .phys = &r->phys,
                                        .decoder = decoder,
                                        .code = code,
                                        .gic = r->gic,
                                        .timers = r->timers,
                                        .cpus = r->cpu,
                                        .cpu_count = 1 };
    r->cpu->powered = 1;
    r->baseline->features = r->features;
    cpu_set_nzcv(r->cpu, 0); /* flags are kept lazily: all bytes zero would mean Z */
    cpu_set_nzcv(r->expect, 0);
    cpu_set_nzcv(r->baseline, 0);
}

void run_file(struct runner *r, const char *path)
{
    gzFile f = gzopen(path, "rb");
    if (!f) {
        fprintf(stderr, "vectors: %s: cannot be read\n", path);
        exit(1);
    }
    snprintf(r->file, sizeof r->file, "%.*s", (int)strcspn(strrchr(path, '/') + 1, "."), strrchr(path, '/') + 1);
    scan_file(&r->scan, path);
    char *line = allocate(LINE_MAX_);
    while (gzgets(f, line, LINE_MAX_))
        parse_line(r, line);
    replay(r);
    gzclose(f);
    free(line);
}

/* The shape of the interrupt controller's saved state: gic/gic.h up to `d`, those of a PE apart. */
#include "gic/gic.h"

static const struct state_field bank_fields[] = {
    STATE(gic_bank, group), STATE(gic_bank, grpmod),   STATE(gic_bank, enable), STATE(gic_bank, latch),
    STATE(gic_bank, level), STATE(gic_bank, active),   STATE(gic_bank, edge),   STATE(gic_bank, nmi),
    STATE(gic_bank, nsacr), STATE(gic_bank, priority),
};
const struct state_shape gic_bank_shape = STATE_SHAPE(gic_bank, bank_fields);

static const struct state_field cpu_fields[] = {
    STATE(gic_cpu, pmr),     STATE(gic_cpu, bpr),         STATE(gic_cpu, igrpen), STATE(gic_cpu, apr),
    STATE(gic_cpu, ctlr),    STATE(gic_cpu, eoimode_el3), STATE(gic_cpu, waker),  STATE(gic_cpu, ich_vmcr),
    STATE(gic_cpu, ich_apr), STATE(gic_cpu, nmi_active),  STATE(gic_cpu, ich_lr),
};
const struct state_shape gic_cpu_shape = STATE_SHAPE(gic_cpu, cpu_fields);

static const struct state_field lpi_fields[] = {
    STATE(gic_lpis, propbaser), STATE(gic_lpis, pendbaser), STATE(gic_lpis, intid),
    STATE(gic_lpis, priority),  STATE(gic_lpis, some),
};
const struct state_shape gic_lpis_shape = STATE_SHAPE(gic_lpis, lpi_fields);

static const struct state_field redist_fields[] = {
    STATE(gic_redist, ctlr),
    STATE(gic_redist, pad),
    STATE_OF(gic_redist, lpi, &gic_lpis_shape),
    STATE_OF(gic_redist, eppi, &gic_bank_shape),
};
const struct state_shape gic_redist_shape = STATE_SHAPE(gic_redist, redist_fields);

static const struct state_field v2_fields[] = {
    STATE(gic2, on), STATE(gic2, ctlr), STATE(gic2, pad), STATE(gic2, source), STATE(gic2, target),
};
static const struct state_shape v2_shape = STATE_SHAPE(gic2, v2_fields);

static const struct state_field fields[] = {
    STATE(gic, cpu_count),
    STATE(gic, security),
    STATE(gic, ctlr),
    STATE(gic, has_nmi),
    STATE(gic, parts),
    STATE(gic, pad),
    STATE_OF(gic, spi, &gic_bank_shape),
    STATE(gic, router),
    STATE(gic, wire),
    STATE(gic, message),
    STATE_OF(gic, v2, &v2_shape),
};
const struct state_shape gic_shape = STATE_SHAPE_UP_TO(gic, fields, ppi);

/* In place of disk_nbd.c where libnbd was not there when elmu was built. */
#include "frontend/disk.h"

struct disk_source disk_nbd_open(const struct drive_config *config, bool readonly)
{
    (void)readonly;
    die("-drive %s: is a %s image, which this elmu was built without (libnbd-dev was not there); raw ones are known",
        config->file, config->format);
}

/* A SCSI disk (SPC-4, SBC-3) over a disk of the machine: what a transport (virtio_scsi.c) hands it and gets back. */
#ifndef BOARD_SCSI_H
#define BOARD_SCSI_H

#include "board/device.h"

enum { SCSI_CDB = 32, SCSI_SENSE = 18 };
enum scsi_status { SCSI_GOOD = 0, SCSI_CHECK_CONDITION = 2 };

struct scsi_command {
    u8 cdb[SCSI_CDB];
    unsigned disk, lun;    /* lun: only 0 is a unit */
    u64 out_size, in_size; /* bytes of the initiator's buffers */
    /* Copies from and to these buffers, within their size. False: not RAM. */
    bool (*out)(void *ctx, u64 offset, void *to, u64 size);
    bool (*in)(void *ctx, u64 offset, const void *from, u64 size);
    void *ctx;
    /* Answers. */
    u64 done;     /* bytes moved */
    bool overrun; /* the command needs larger buffers: nothing was done */
    enum scsi_status status;
    u8 sense[SCSI_SENSE]; /* fixed format, with CHECK CONDITION */
};

void scsi_run(struct machine *m, struct scsi_command *c);

#endif

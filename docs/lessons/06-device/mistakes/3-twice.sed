# mmio.c
s/value = d->read(offset, bytes); .*/value = rt != 31 ? d->read(offset, bytes) : 0;/

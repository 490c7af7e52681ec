/* The devices that a guest has. */
#include "virtio.h"

const struct device *const devices[] = { &uart_device, &counter_device, &virtio_console, NULL };

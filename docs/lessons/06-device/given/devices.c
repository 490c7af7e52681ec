/* The devices that a guest has. */
#include "device.h"

const struct device *const devices[] = { &uart_device, &counter_device, NULL };

/* -netdev user in a build without libslirp: says so. */
#include "frontend/net.h"

const struct netdev_kind netdev_user = {
    .name = "user",
    .lacks = "this elmu was built without libslirp (libslirp-dev; tests/install.sh run says what is missing)",
};

# SPDX-License-Identifier: Apache-2.0 OR MIT
from support import command, store  # noqa: F401  (fixtures)

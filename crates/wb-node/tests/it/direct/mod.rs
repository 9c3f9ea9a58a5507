//! Two nodes and no hub: pairing, exchanging, delivering and folders, over real sockets.

mod addresses;
mod by_folder;
mod decided;
mod hostile;
mod letters;
mod pairing;
mod recovered;
mod restoring;
mod sealed;
mod street;
mod syncing;
mod trust;

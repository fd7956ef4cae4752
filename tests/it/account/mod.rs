//! `matrix aws`: on the emulator for what it implements, and on a *synthetic* cloud for what no local part does.

mod emulator;
mod synthetic;

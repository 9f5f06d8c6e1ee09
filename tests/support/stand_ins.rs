//! The stand-ins of a sandbox by their types, for tests that change the behaviour of one of them.

use haul::sandbox::{Fileago, Giga0, Iogates, Sandbox};

pub trait StandIns {
    fn iogates(&self) -> &Iogates;
    fn giga0(&self) -> &Giga0;
    fn fileago(&self) -> &Fileago;
}

impl StandIns for Sandbox {
    fn iogates(&self) -> &Iogates {
        self.stand_in().unwrap()
    }
    fn giga0(&self) -> &Giga0 {
        self.stand_in().unwrap()
    }
    fn fileago(&self) -> &Fileago {
        self.stand_in().unwrap()
    }
}

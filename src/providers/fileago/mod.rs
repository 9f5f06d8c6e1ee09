//! fileago

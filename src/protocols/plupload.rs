//! plupload

#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("request"), |data: &[u8]| {
    sealbid_fuzz::targets::request::run(data);
});

#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("signed"), |data: &[u8]| {
    sealbid_fuzz::targets::signed::run(data);
});

#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("receipt"), |data: &[u8]| {
    sealbid_fuzz::targets::receipt::run(data);
});

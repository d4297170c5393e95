#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("assertion"), |data: &[u8]| {
    sealbid_fuzz::targets::assertion::run(data);
});

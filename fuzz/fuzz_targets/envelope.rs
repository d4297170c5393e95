#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("envelope"), |data: &[u8]| {
    sealbid_fuzz::targets::envelope::run(data);
});

#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("opening"), |data: &[u8]| {
    sealbid_fuzz::targets::opening::run(data);
});

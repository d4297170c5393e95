#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("snapshot"), |data: &[u8]| {
    sealbid_fuzz::targets::snapshot::run(data);
});

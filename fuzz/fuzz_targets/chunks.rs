#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("chunks"), |data: &[u8]| {
    sealbid_fuzz::targets::chunks::run(data);
});

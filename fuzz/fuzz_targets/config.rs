#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("config"), |data: &[u8]| {
    sealbid_fuzz::targets::config::run(data);
});

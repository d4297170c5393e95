// A real Chromium without a window, and the page in it.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

/** For a machine that has other things to do. */
const PATIENCE_MS = 120_000;

/** Runs `play` with a browser of its own, in a profile that is new and gone afterwards. */
export async function withBrowser(options, play) {
  const profile = mkdtempSync(join(tmpdir(), 'sealbid-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.SEALBID_CHROMIUM ?? '/usr/bin/chromium',
    headless: true, args: FLAGS, acceptDownloads: true, viewport: { width: 1100, height: 900 }, ...options,
  });
  try {
    const page = context.pages()[0];
    page.setDefaultTimeout(PATIENCE_MS);
    const said = [];
    page.on('console', (message) => { if (message.type() === 'error') said.push(message.text()); });
    page.on('pageerror', (error) => said.push(String(error)));
    const result = await play(page, { profile, context });
    return { ...result, said };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The most memory that the page's process has used so far, in MiB: that of the largest renderer of this profile. */
export function rendererPeak(profile) {
  const peaks = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!line.includes('--type=renderer') || !descends(pid, profile)) return 0;
      return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    } catch {
      return 0;
    }
  });
  return Math.max(0, ...peaks);
}

/** Whether a process belongs to the browser of this profile: one of its ancestors names it. */
function descends(pid, profile) {
  for (let at = pid; at !== '0'; at = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${at}/status`, 'utf8'))[1]) {
    if (readFileSync(`/proc/${at}/cmdline`, 'utf8').includes(profile)) return true;
  }
  return false;
}

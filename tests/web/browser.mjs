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
    const result = await play(page, { profile, forget: () => { said.length = 0; } });
    return { ...result, said };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The processes of the browser with this profile: the profile is named by the browser itself, from which the others descend. */
function processes(profile) {
  const read = (pid, what) => readFileSync(`/proc/${pid}/${what}`, 'utf8');
  const descends = (pid) => {
    for (let at = pid; at !== '0'; at = /PPid:\s+(\d+)/.exec(read(at, 'status'))[1]) if (read(at, 'cmdline').includes(profile)) return true;
    return false;
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      if (!descends(pid)) return [];
      const [user, system] = read(pid, 'stat').split(') ')[1].split(' ').slice(11, 13).map(Number);
      const peakKib = Number(/VmHWM:\s+(\d+)/.exec(read(pid, 'status'))[1]);
      return [{ renderer: read(pid, 'cmdline').includes('--type=renderer'), peakKib, cpuMs: (user + system) * 10 }];
    } catch {
      return [];
    }
  });
}

/** What the browser has used so far: CPU milliseconds of all its processes, and MiB of the page's process at its peak. */
export function used(profile) {
  const all = processes(profile);
  const peakKib = Math.max(0, ...all.filter(({ renderer }) => renderer).map(({ peakKib: kib }) => kib));
  return { cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0), peakMib: peakKib / 1024 };
}

// Puts the page together: web/dist, which the server embeds. `--check` says whether what is checked in is what the sources give.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const here = (path) => new URL(path, import.meta.url);
const read = (path) => readFileSync(here(path), 'utf8');
const digest = (name, content) => createHash(name).update(content);

// Not minified: whoever wants to know what runs can read it.
const bundled = await build({
  entryPoints: [here('page/main.js').pathname],
  absWorkingDir: here('.').pathname,
  bundle: true, write: false, format: 'esm', target: 'es2022', charset: 'utf8', legalComments: 'inline', metafile: true,
});

/** The packages of which something is inside. */
function packages() {
  const inside = Object.values(bundled.metafile.outputs)[0].inputs;
  const used = Object.keys(inside).filter((path) => inside[path].bytesInOutput > 0);
  const names = used.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  return [...new Set(names)].sort();
}

const licences = packages().map((name) => {
  const { version, license } = JSON.parse(read(`node_modules/${name}/package.json`));
  return `${name} ${version} (${license})\n\n${read(`node_modules/${name}/LICENSE`).trim()}\n`;
});

const files = {
  'seal.js': bundled.outputFiles[0].text,
  'seal.css': read('page/seal.css'),
  'seal.svg': read('page/seal.svg'),
  'LICENSES.txt': licences.join(`\n${'-'.repeat(72)}\n\n`),
};
const integrity = (_, name) => `sha384-${digest('sha384', files[name]).digest('base64')}`;
files['seal.html'] = read('page/index.html').replace(/\{\{(.+?)\}\}/g, integrity);
files.SHA256SUMS = ['seal.html', 'seal.js', 'seal.css']
  .map((name) => `${digest('sha256', files[name]).digest('hex')}  ${name}\n`).join('');

/** The manual names the digests as well. */
function manual() {
  const said = read('../docs/sealing-in-a-browser.md');
  return files.SHA256SUMS.trim().split('\n').reduce((text, line) => text.replace(new RegExp(`^[0-9a-f]{64}  ${line.slice(66)}$`, 'm'), line), said);
}

const written = [...Object.entries(files).map(([name, content]) => [`dist/${name}`, content]), ['../docs/sealing-in-a-browser.md', manual()]];
const stale = written.filter(([path, content]) => !existsSync(here(path)) || read(path) !== content);
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`web/${path} is not what its sources give: run npm ci && npm run build in web/`);
  process.exit(stale.length > 0 ? 1 : 0);
}
mkdirSync(here('dist/'), { recursive: true });
for (const [path, content] of stale) writeFileSync(here(path), content);

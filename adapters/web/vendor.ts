import { readFile } from 'node:fs/promises';
import { type ServedFile, toServedFile } from './served-file.ts';

/** The packages that the page loads: these files of them, and no others. */
export interface Vendor {
  /** For the browser: which bare name stands for which address. */
  importMap: string;
  get(path: string): Promise<ServedFile | undefined>;
}

interface VendorFile {
  /** As the page's modules import it. */
  name: string;
  package: string;
  file: string;
  /** CommonJS; the browser gets it as a module. */
  wrap?: true;
}

const packages = new URL('../../node_modules/', import.meta.url);

const languages = [
  'bash',
  'c',
  'cpp',
  'css',
  'diff',
  'go',
  'java',
  'javascript',
  'json',
  'markdown',
  'python',
  'rust',
  'sql',
  'typescript',
  'xml',
  'yaml',
];

const files: readonly VendorFile[] = [
  { name: 'preact', package: 'preact', file: 'dist/preact.mjs' },
  { name: 'preact/hooks', package: 'preact', file: 'hooks/dist/hooks.mjs' },
  { name: 'htm', package: 'htm', file: 'dist/htm.module.js' },
  { name: '@preact/signals-core', package: '@preact/signals-core', file: 'dist/signals-core.module.js' },
  { name: '@preact/signals', package: '@preact/signals', file: 'dist/signals.module.js' },
  { name: 'marked', package: 'marked', file: 'lib/marked.esm.js' },
  { name: 'dompurify', package: 'dompurify', file: 'dist/purify.es.mjs' },
  { name: 'highlight.js/lib/core', package: 'highlight.js', file: 'lib/core.js', wrap: true },
  ...languages.map((one) => ({
    name: `highlight.js/lib/languages/${one}`,
    package: 'highlight.js',
    file: `es/languages/${one}.js`,
  })),
  { name: 'echarts', package: 'echarts', file: 'dist/echarts.esm.min.mjs' },
];

export async function openVendor(): Promise<Vendor> {
  const versions = new Map<string, string>();
  for (const name of new Set(files.map((one) => one.package))) versions.set(name, await versionOf(name));
  // The version stands in the address: what a browser has of it, it may keep for ever.
  const paths = new Map(files.map((one) => [`${one.package}@${versions.get(one.package)}/${one.file}`, one]));
  const made = new Map<string, Promise<ServedFile>>();
  const imports = Object.fromEntries([...paths].map(([path, { name }]) => [name, `/vendor/${path}`]));

  return {
    importMap: JSON.stringify({ imports }),
    async get(path) {
      const known = paths.get(path);
      if (known === undefined) return undefined;
      const file = made.get(path) ?? readVendorFile(known);
      made.set(path, file);
      file.catch(() => made.delete(path));
      return await file;
    },
  };
}

async function versionOf(name: string): Promise<string> {
  const text = await readFile(new URL(`${name}/package.json`, packages), 'utf8');
  const { version }: { version?: unknown } = JSON.parse(text);
  return String(version);
}

async function readVendorFile(one: VendorFile): Promise<ServedFile> {
  const source = await readFile(new URL(`${one.package}/${one.file}`, packages), 'utf8');
  const plain = source.replace(/^\/\/# sourceMappingURL=.*$/m, '');
  const module = one.wrap ? `const module = { exports: {} };\n${plain}\nexport default module.exports;\n` : plain;
  return toServedFile(Buffer.from(module), 'text/javascript; charset=utf-8');
}

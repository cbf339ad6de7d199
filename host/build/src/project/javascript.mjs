// Makes a component of a module: node --input-type=module --eval THIS -- SOURCE WIT WORLD FILE
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, wit, world, file] = process.argv.slice(1).filter((it) => it !== '--');
const bundle = join(dirname(file), `${basename(file)}.js`);
try {
  await build({
    entryPoints: [source],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    // The contract's own interfaces, which the component imports.
    external: ['countersign:*'],
    logLevel: 'warning',
  });
} catch {
  // It has said why.
  process.exit(1);
}
const { component } = await componentize({
  sourcePath: bundle,
  witPath: wit,
  worldName: world,
  // Without these the engine imports nothing of WASI: no plugin has a clock, files or a network.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(file, component);

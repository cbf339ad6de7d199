// A test of vitest for each case of `countersign plugin test`, and one for what its checks find.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * Runs the cases of a component, as they are when the tests are collected.
 *
 * @param {string} component The file, as `countersign plugin build` leaves it.
 * @param {{ vectors?: string[], command?: string, sources?: string }} [options] The files and folders of
 *   cases; the command, where it is not `countersign` on the path or what `COUNTERSIGN` names; the folder
 *   that the component is built from, which has to be older.
 */
export function cases(component, options = {}) {
  const { vectors = ['vectors'], command = process.env.COUNTERSIGN ?? 'countersign', sources = 'src' } = options;
  const newer = existsSync(component) && newerThan(statSync(component).mtimeMs, sources);
  if (newer) {
    throw new Error(`${newer} is newer than ${component}: run countersign plugin build first`);
  }
  const name = basename(component, '.wasm');
  const given = ['plugin', 'test', component, ...vectors, '--json', '--interpreted', name];
  const ran = spawnSync(command, given, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ran.error) {
    throw new Error(`${command} cannot be run: ${ran.error.message}`);
  }
  let report;
  try {
    report = JSON.parse(ran.stdout);
  } catch {
    report = {};
  }
  if (!Array.isArray(report.cases)) {
    throw new Error(`${command} plugin test made no report:\n${ran.stderr}`);
  }
  describe(name, () => {
    for (const found of report.cases) {
      test(found.name, () => expect(found.differences, found.log.join('\n')).toEqual([]));
    }
    test('the checks find nothing', () => expect(report.findings).toEqual([]));
    test('there is a case', () => expect(report.cases.length).toBeGreaterThan(0));
  });
}

/** A source below the folder that changed after this time, in milliseconds; an editor's own files are none. */
function newerThan(time, folder) {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  const sources = names.filter((name) => /^[^.].*\.[cm]?[jt]s$/.test(basename(name)));
  const changed = (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = sources.find((name) => changed(name) > time);
  return newer && join(folder, newer);
}

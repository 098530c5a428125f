// Which tests take the whole host, or measure what it does under load: nothing runs beside them.
// Invariant: kills and storms whose bar is outcomes alone are among them only in their long form, where they go on for many minutes.
const long = process.env['PINNACE_LONG'] === '1';
const names = ['demo', 'hostile', ...(long ? ['chaos', 'kills-at-random'] : [])];

/** Their files. */
export const STORMS: readonly string[] = names.map((name) => `test/e2e/${name}.test.ts`);

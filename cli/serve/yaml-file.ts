// Files that users write in YAML or JSON and name on the command line.
// Invariant: they are read as Kubernetes reads them (YAML 1.1), and a bomb of aliases is refused.
import { readFileSync } from 'node:fs';

/** As many aliases as a file may use. */
const MAX_ALIASES = 100;

/** What the file says. Throws what the file system or the parser says. */
export async function readYamlFile(path: string): Promise<unknown> {
  const { parse } = await import('yaml');
  return parse(readFileSync(path, 'utf8'), { version: '1.1', maxAliasCount: MAX_ALIASES });
}

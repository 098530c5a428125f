// Parses JSON bodies; finds keys that occur twice, which JSON.parse drops without a word.
// Invariant: the scan runs only on text that JSON.parse took, so it needs to check nothing but
// keys.

/** How many duplicates are named; further ones are dropped without a word. */
export const MAX_DUPLICATES = 100;

/**
 * The paths of fields that occur more than once, such as `spec.replicas`, in the order of their
 * second coming.
 */
export function duplicateFields(json: string): string[] {
  const scan: Scan = { json, at: 0, found: new Set() };
  scanValue(scan, '');
  return [...scan.found];
}

interface Scan {
  readonly json: string;
  at: number;
  readonly found: Set<string>;
}

interface Level {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  index: number;
  /** The path of the value that comes next. */
  next: string;
}

/** Not recursive: nesting is up to the client. */
function scanValue(scan: Scan, rootPath: string): void {
  const levels: Level[] = [];
  let next = rootPath;
  for (; scan.at < scan.json.length; scan.at += 1) {
    const level = levels.at(-1);
    switch (scan.json[scan.at]) {
      case '{':
        levels.push({ keys: new Set(), path: next, index: 0, next });
        break;
      case '[':
        levels.push({ keys: undefined, path: next, index: 0, next });
        next = `${next}[0]`;
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (level !== undefined && level.keys === undefined) {
          level.index += 1;
          next = `${level.path}[${level.index}]`;
        }
        break;
      case '"': {
        const text = readString(scan);
        if (level?.keys !== undefined && isKey(scan)) next = noteKey(scan, level, text);
        break;
      }
      default:
    }
  }
}

/** Leaves `at` on the closing quote. */
function readString(scan: Scan): string {
  const start = scan.at;
  do {
    scan.at = scan.json.indexOf('"', scan.at + 1);
  } while (isEscaped(scan));
  return JSON.parse(scan.json.slice(start, scan.at + 1)) as string;
}

function isEscaped({ json, at }: Scan): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

const COLON_AHEAD = /\s*:/y;

function isKey({ json, at }: Scan): boolean {
  COLON_AHEAD.lastIndex = at + 1;
  return COLON_AHEAD.test(json);
}

function noteKey(scan: Scan, level: Level, key: string): string {
  const path = level.path === '' ? key : `${level.path}.${key}`;
  if (level.keys?.has(key) && scan.found.size < MAX_DUPLICATES) scan.found.add(path);
  level.keys?.add(key);
  return path;
}

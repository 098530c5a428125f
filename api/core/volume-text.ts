// How volumes and claims show their access modes, and what is not set.
// Pure; texts are those that `kubectl get` prints.

/** Stands for a field that is not set. */
export const UNSET = '<unset>';

const SHORT: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** The modes in short, each once, in a fixed order: `RWO,ROX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return Object.entries(SHORT)
    .flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : []))
    .join(',');
}

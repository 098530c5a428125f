// Labels of nodes that have got another name since, with the words that clients know for them.
// Pure. Rule: Kubernetes' "Well-Known Labels, Annotations and Taints".

const RENAMED: ReadonlyMap<string, readonly [since: string, name: string]> = new Map([
  ['beta.kubernetes.io/arch', ['v1.14', 'kubernetes.io/arch']],
  ['beta.kubernetes.io/os', ['v1.14', 'kubernetes.io/os']],
  ['failure-domain.beta.kubernetes.io/region', ['v1.17', 'topology.kubernetes.io/region']],
  ['failure-domain.beta.kubernetes.io/zone', ['v1.17', 'topology.kubernetes.io/zone']],
  ['beta.kubernetes.io/instance-type', ['v1.17', 'node.kubernetes.io/instance-type']],
]);

/** What is to be said of a label's use; undefined where it has its name still. */
export function renamedLabel(key: string): string | undefined {
  const renamed = RENAMED.get(key);
  return renamed && `deprecated since ${renamed[0]}; use "${renamed[1]}" instead`;
}

interface Term {
  readonly matchExpressions?: readonly { readonly key?: string }[] | undefined;
}

/** Words of warning about the keys of a term of a node selector; a preference may be without one. */
export function termWarnings(term: Term | undefined, path: string): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key = '' }, i) => {
    const why = renamedLabel(key);
    return why === undefined ? [] : [`${path}.matchExpressions[${i}].key: ${key} is ${why}`];
  });
}

// How runtimes call the cgroup of a container below that of its pod. CRI does not say. Pure.

/** Its name: the id, which CRI-O (by its documentation; not tried here) writes `crio-` before. */
export function containerGroup(runtime: string, id: string): string {
  return runtime === 'cri-o' ? `crio-${id}` : id;
}

// What the parts of a cluster call themselves: owners of fields by these names are known from every other cluster.
// Invariant: the same name whether a part runs in one process with others or alone.

/** The built-in controllers. */
export const CONTROLLERS_AGENT = 'kube-controller-manager';
/** The scheduler. */
export const SCHEDULER_AGENT = 'kube-scheduler';
/** The node agent. */
export const NODE_AGENT = 'kubelet';

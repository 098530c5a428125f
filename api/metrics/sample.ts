// NodeSample: the batch of figures a node agent sends each second to the API server (design decision 12).
// POST /apis/metrics.k8s.io/v1beta1/nodes/{name}/samples; authorised as create on nodes/samples. Never stored on disk.

/** Use over the sample's window. CPU in nanocores (1e9 is one core), memory in bytes of working set. */
export interface Usage {
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

/** One node's figures at one moment. */
export interface NodeSample {
  /** Wall time of the end of the window, milliseconds. */
  readonly timestampMs: number;
  /** Length of the window that CPU figures are the mean of, milliseconds. */
  readonly windowMs: number;
  readonly node: Usage;
  readonly pods: readonly PodSample[];
}

/** One pod's figures. */
export interface PodSample {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly containers: readonly ({ readonly name: string } & Usage)[];
}

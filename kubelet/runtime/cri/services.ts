// The procedures of CRI (runtime.v1) that this agent calls: which message each takes and answers.
import type { Verb } from './grpc.ts';
import { Empty, MESSAGES as M } from './messages.ts';
import type { Message, ValueOf } from './protobuf-codec.ts';

const verbOf =
  (service: string) =>
  <Request, Response>(
    name: string,
    request: Message<Request>,
    response: Message<Response>,
  ): Verb<Request, Response> => ({ path: `/runtime.v1.${service}/${name}`, request, response });

const runtime = verbOf('RuntimeService');
const image = verbOf('ImageService');

/** What runs containers. */
export const RUNTIME = {
  version: runtime('Version', M.VersionRequest, M.VersionResponse),
  status: runtime('Status', Empty, M.StatusResponse),
  runtimeConfig: runtime('RuntimeConfig', Empty, M.RuntimeConfigResponse),
  runPodSandbox: runtime('RunPodSandbox', M.RunPodSandboxRequest, M.ById),
  stopPodSandbox: runtime('StopPodSandbox', M.ById, Empty),
  removePodSandbox: runtime('RemovePodSandbox', M.ById, Empty),
  listPodSandbox: runtime('ListPodSandbox', M.ListPodSandboxRequest, M.ListPodSandboxResponse),
  updatePodSandboxResources: runtime(
    'UpdatePodSandboxResources',
    M.UpdatePodSandboxResourcesRequest,
    Empty,
  ),
  createContainer: runtime('CreateContainer', M.CreateContainerRequest, M.ById),
  startContainer: runtime('StartContainer', M.ById, Empty),
  stopContainer: runtime('StopContainer', M.StopContainerRequest, Empty),
  removeContainer: runtime('RemoveContainer', M.ById, Empty),
  listContainers: runtime('ListContainers', M.ListContainersRequest, M.ListContainersResponse),
  listContainerStats: runtime(
    'ListContainerStats',
    M.ListContainerStatsRequest,
    M.ListContainerStatsResponse,
  ),
  containerStatus: runtime('ContainerStatus', M.ContainerStatusRequest, M.ContainerStatusResponse),
  updateContainerResources: runtime(
    'UpdateContainerResources',
    M.UpdateContainerResourcesRequest,
    Empty,
  ),
  reopenContainerLog: runtime('ReopenContainerLog', M.ById, Empty),
  execSync: runtime('ExecSync', M.ExecSyncRequest, M.ExecSyncResponse),
  exec: runtime('Exec', M.ExecRequest, M.UrlResponse),
  attach: runtime('Attach', M.AttachRequest, M.UrlResponse),
  getContainerEvents: runtime('GetContainerEvents', Empty, M.ContainerEvent),
} as const;

/** Containerd's own news of what it runs: older releases do not tell them over CRI. */
export const CONTAINERD_EVENTS: Verb<
  ValueOf<typeof M.SubscribeRequest>,
  ValueOf<typeof M.Envelope>
> = {
  path: '/containerd.services.events.v1.Events/Subscribe',
  request: M.SubscribeRequest,
  response: M.Envelope,
};

/** What keeps images. */
export const IMAGES = {
  list: image('ListImages', Empty, M.ListImagesResponse),
  status: image('ImageStatus', M.ImageStatusRequest, M.ImageStatusResponse),
  pull: image('PullImage', M.PullImageRequest, M.PullImageResponse),
  remove: image('RemoveImage', M.ImageRequest, Empty),
  fsInfo: image('ImageFsInfo', Empty, M.ImageFsInfoResponse),
} as const;

// Can the server behind an APIService be reached? What Service and endpoints say, and the words for it. Pure.
// Invariant: reasons and messages are upstream's, as `kubectl get apiservices` shows them.
import type { APIServiceCondition, Service } from '../../../api/generated/types.ts';
import { type EndpointGroup, readyAt } from '../../registry/service-endpoints.ts';
import type { RemoteApiService } from './api-service-table.ts';

/** The condition, before its time is set. */
export type Availability = Omit<APIServiceCondition, 'lastTransitionTime'>;

const AVAILABLE = 'Available';

const because = (status: string, reason: string, message: string): Availability => ({
  type: AVAILABLE,
  status,
  reason,
  message,
});

/** Of groups that this server answers for itself. */
export const LOCAL = because('True', 'Local', 'Local APIServices are always available');
/** Of a server that answered. */
export const PASSED = because('True', 'Passed', 'all checks passed');

/** Of a server that did not answer as it should; `why` in words. */
export const failedCheck = (why: string): Availability =>
  because('False', 'FailedDiscoveryCheck', why);

/** What stands in the store. */
export interface ServiceView {
  readonly service: Service | undefined;
  /** What is behind it; undefined where nothing speaks of that. */
  readonly endpoints: readonly EndpointGroup[] | undefined;
}

/** Why the server cannot be reached; undefined where nothing speaks against trying. */
export function unreachable(
  { service: { namespace, name, port } }: RemoteApiService,
  { service, endpoints }: ServiceView,
): Availability | undefined {
  const what = `service/${name} in ${JSON.stringify(namespace)}`;
  if (!service) return because('False', 'ServiceNotFound', `${what} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const served = service.spec?.ports?.find((each) => each.port === port);
  if (!served)
    return because('False', 'ServicePortError', `${what} is not listening on port ${port}`);
  if (!endpoints)
    return because('False', 'EndpointsNotFound', `cannot find endpointslices for ${what}`);
  const portName = served.name ?? '';
  if (readyAt(endpoints, portName).length > 0) return undefined;
  const message = `endpointslices for ${what} have no addresses with port name ${JSON.stringify(portName)}`;
  return because('False', 'MissingEndpoints', message);
}

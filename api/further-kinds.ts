// Built-in kinds that are no rows of the store of their own: reviews, which are asked and answered, and other forms of stored kinds.
// Invariant: with kinds.ts, every kind of docs/api-coverage.md has a KindRef (client/index.ts exports both).
import type {
  EventsEvent,
  HorizontalPodAutoscaler,
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
} from './generated/types.ts';
import type { KindRef } from './kind-ref.ts';

const authentication = { group: 'authentication.k8s.io', version: 'v1' } as const;
const authorization = { group: 'authorization.k8s.io', version: 'v1' } as const;

/** The objects of Events, in the form of events.k8s.io. */
export const EventsV1: KindRef<EventsEvent> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};

/** The objects of HorizontalPodAutoscalers, in the form of autoscaling/v1. */
export const HorizontalPodAutoscalersV1: KindRef<HorizontalPodAutoscaler> = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
};

/** Whose is this token? Created; the answer is its status. */
export const TokenReviews: KindRef<TokenReview> = {
  ...authentication,
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
};

/** Who am I? */
export const SelfSubjectReviews: KindRef<SelfSubjectReview> = {
  ...authentication,
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
};

/** May somebody do this? */
export const SubjectAccessReviews: KindRef<SubjectAccessReview> = {
  ...authorization,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
};

/** May I do this? */
export const SelfSubjectAccessReviews: KindRef<SelfSubjectAccessReview> = {
  ...authorization,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
};

/** What may I do in a namespace? */
export const SelfSubjectRulesReviews: KindRef<SelfSubjectRulesReview> = {
  ...authorization,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
};

/** May somebody do this in the review's namespace? For those who administer only that. */
export const LocalSubjectAccessReviews: KindRef<LocalSubjectAccessReview> = {
  ...authorization,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
};

// Tells routes of requests to other API servers from those to this one, before a body is read: a constraint of fastify's router.
// Invariant: whose a request is depends on its path alone.
import type { FastifyServerOptions } from 'fastify';

type Constraints = NonNullable<NonNullable<FastifyServerOptions['routerOptions']>['constraints']>;
type Handler = Parameters<ReturnType<Constraints[string]['storage']>['set']>[1];

/** What a route says that is for requests to other API servers. */
export const IF_PASSED_ON = { passedOn: 'yes' };

/** The path of a URL, still encoded. */
export const pathOf = (url = ''): string => {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
};

/** The constraint, for the router's options. */
export function passedOnConstraint(passesOn: (path: string) => boolean): Constraints {
  return {
    passedOn: {
      name: 'passedOn',
      storage() {
        let only: Handler | null = null;
        return {
          get: (value) => (value === IF_PASSED_ON.passedOn ? only : null),
          set: (_value, handler) => {
            only = handler;
          },
        };
      },
      deriveConstraint: ({ url }) => (passesOn(pathOf(url)) ? IF_PASSED_ON.passedOn : ''),
    },
  };
}

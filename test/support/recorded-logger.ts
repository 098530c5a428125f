// A logger that keeps its lines, for tests of what is told.
// Invariant: a line carries the fields of every logger above it.
import type { LogFields, Logger } from '../../base/logger.ts';

/** One line as it was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger, and the lines that it and its children were given so far. */
export function recordedLogger(): { readonly logger: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const of = (above: LogFields): Logger => {
    const at =
      (level: LogLine['level']) =>
      (message: string, fields: LogFields = {}) =>
        void lines.push({ level, message, fields: { ...above, ...fields } });
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => of({ ...above, ...fields }),
    };
  };
  return { logger: of({}), lines };
}

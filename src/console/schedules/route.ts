import type { ActionRoute } from '../kit/actions.ts';

/** The target is the id of a schedule. `operate/` refuses one that Holdfast does not declare. */
export const scheduleRoute: ActionRoute = { target: (c) => c.req.param('id') ?? '', back: () => '/ops/schedules' };

import { z } from '@hono/zod-openapi';

export const scheduleParams = z.object({
  id: z.string().max(200).openapi({ param: { name: 'id', in: 'path' }, example: 'weekly-report' }),
});

ALTER TABLE "saga_steps" DROP CONSTRAINT "saga_steps_state";--> statement-breakpoint
ALTER TABLE "saga_steps" ADD CONSTRAINT "saga_steps_state" CHECK (state in ('running', 'retrying', 'exhausted', 'refused', 'interrupted', 'done', 'undone'));--> statement-breakpoint
-- A step whose compensation has started is interrupted, or undone, and has a row.
INSERT INTO "saga_steps" AS step (order_id, generation, step, kind, state, attempts)
SELECT order_id, generation, step, 'step', CASE state WHEN 'done' THEN 'undone' ELSE 'interrupted' END, 0
FROM "saga_steps" WHERE kind = 'compensation'
ON CONFLICT (order_id, generation, step, kind) DO UPDATE SET state = excluded.state WHERE step.state IN ('running', 'retrying');--> statement-breakpoint
-- So has one whose order is parked.
INSERT INTO "saga_steps" (order_id, generation, step, kind, state, attempts, error_type, error_message)
SELECT order_id, generation, step, 'step', 'exhausted', 0, error_type, error_message
FROM "failures" WHERE kind = 'step' AND status IN ('open', 'retrying') AND order_id IS NOT NULL
ON CONFLICT DO NOTHING;

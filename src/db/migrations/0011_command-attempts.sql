DROP INDEX "commands_pending";--> statement-breakpoint
ALTER TABLE "commands" ADD COLUMN "attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "commands" ADD COLUMN "next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "commands_due" ON "commands" USING btree ("next_attempt_at","id") WHERE state = 'pending';--> statement-breakpoint
-- A command that was set aside can be requeued, so it is not dealt with.
UPDATE "commands" SET "delivered_at" = NULL WHERE "state" = 'set_aside';--> statement-breakpoint
-- The set-aside commands of one type to one workflow share one failure now, and its step is their type.
UPDATE "failures" SET "step" = "first"."type" FROM (
  SELECT DISTINCT ON ("workflow_id", "type") 'command ' || "id" AS "step", "workflow_id", "type"
  FROM (SELECT "id", "workflow_id", coalesce("body" ->> 'type', 'unknown') AS "type" FROM "commands" WHERE "state" = 'set_aside') AS "set_aside"
  ORDER BY "workflow_id", "type", "id"
) AS "first"
WHERE "failures"."kind" = 'command' AND "failures"."workflow_id" = "first"."workflow_id" AND "failures"."step" = "first"."step";--> statement-breakpoint
-- Requests with an id in capitals went to a workflow that does not exist, and were discarded.
UPDATE "commands" SET "workflow_id" = lower("workflow_id"), "state" = 'pending', "delivered_at" = NULL
WHERE "state" IN ('pending', 'discarded') AND "workflow_id" ~ '^(order|signup|replay)/.*[A-F]';

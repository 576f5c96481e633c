DROP INDEX "failures_one_live";--> statement-breakpoint
ALTER TABLE "bulk_action_items" ALTER COLUMN "order_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "failures" ADD COLUMN "email_key" text;--> statement-breakpoint
-- Which of several emails of one template has failed was not recorded: take the first that was not sent.
UPDATE "failures" SET "email_key" = (
  SELECT "about"."prefix" || "n"
  FROM (SELECT coalesce('order:' || "order_id" || ':' || "generation", 'signup:' || "signup_id") || ':email:' || "step" || ':' AS "prefix") AS "about",
    generate_series(1, 1 + (SELECT count(*) FROM "emails" WHERE "emails"."order_id" = "failures"."order_id" OR "emails"."signup_id" = "failures"."signup_id")) AS "n"
  WHERE NOT EXISTS (SELECT FROM "emails" WHERE "key" = "about"."prefix" || "n")
  ORDER BY "n" LIMIT 1
) WHERE "kind" = 'email' AND "status" IN ('open', 'retrying');--> statement-breakpoint
CREATE UNIQUE INDEX "failures_one_live" ON "failures" USING btree ("workflow_id","kind","step",coalesce("email_key", '')) WHERE status in ('open', 'retrying');--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_target" CHECK (order_id is not null or failure_id is not null);
-- What has come in until now is what is available and what is reserved.
ALTER TABLE "stock" ADD COLUMN "received" integer;--> statement-breakpoint
UPDATE "stock" SET "received" = "available" + (SELECT coalesce(sum("quantity"), 0) FROM "reservations" WHERE "reservations"."sku" = "stock"."sku" AND "released_at" IS NULL);--> statement-breakpoint
ALTER TABLE "stock" ALTER COLUMN "received" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "payments_created" ON "payments" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "refunds_created" ON "refunds" USING btree ("created_at");

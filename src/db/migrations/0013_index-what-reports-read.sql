CREATE INDEX "orders_created" ON "orders" USING brin ("created_at");--> statement-breakpoint
CREATE INDEX "payments_captured" ON "payments" USING brin ("captured_at");--> statement-breakpoint
CREATE INDEX "signups_created" ON "signups" USING brin ("created_at");
-- Of a vouch the column of the parent's origin holds for whom it is.
CREATE INDEX listings_vouches ON listings (parent_origin, instance_no, id) WHERE kind = 'vouch';

-- Libraries of learned actions and lessons, by content address. A library may belong to several trials.
SELECT * FROM stored.libraries
